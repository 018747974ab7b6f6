from django.db import connection
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from .models import Greeting


@require_GET
def home(request):
    """The newest greetings, and which database they come from."""
    greetings = Greeting.objects.all()[:20]
    return render(
        request, "greetings/home.html", {"greetings": greetings, "database": connection.vendor}
    )


@require_POST
def greet(request):
    name = request.POST.get("name", "").strip()[:80]
    text = request.POST.get("text", "").strip()[:200]
    if name and text:
        Greeting.objects.create(name=name, text=text)
    return redirect("home")
