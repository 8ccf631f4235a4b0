"""What the page /energy shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
