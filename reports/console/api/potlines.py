"""What the page /potlines shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
