from django.contrib import admin

from .models import Greeting


@admin.register(Greeting)
class GreetingAdmin(admin.ModelAdmin):
    list_display = ["name", "text", "created"]
    search_fields = ["name", "text"]
