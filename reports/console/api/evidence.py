"""What the page /evidence shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
