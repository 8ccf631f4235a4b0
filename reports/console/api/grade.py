"""What the page /grade shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
