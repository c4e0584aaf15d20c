"""What the service chooses where a request leaves it open: the request is completed, then checked as any other."""

from api_service.autotuning.complete import Completed, complete

__all__ = ["Completed", "complete"]
