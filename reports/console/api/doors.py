"""Accounts and tokens, for programs."""

from fastapi import APIRouter

router = APIRouter()
