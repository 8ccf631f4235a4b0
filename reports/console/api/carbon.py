"""What the page /carbon shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
