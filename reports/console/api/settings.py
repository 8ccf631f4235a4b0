"""What the page /settings shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
