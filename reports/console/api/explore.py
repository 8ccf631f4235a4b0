"""What the page /explore shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
