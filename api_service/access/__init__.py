"""Who calls, what it may do, and how often; and the record of it."""

from api_service.access.authentication import Authenticator
from api_service.access.interceptor import AccessInterceptor
from api_service.access.rate_limit import RateLimiter

__all__ = ["AccessInterceptor", "Authenticator", "RateLimiter"]
