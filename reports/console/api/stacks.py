"""What the page /stacks shows, for programs."""

from fastapi import APIRouter

router = APIRouter()
