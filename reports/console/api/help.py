"""What the page /help shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
