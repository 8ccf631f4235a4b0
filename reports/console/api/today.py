"""What the page / shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
