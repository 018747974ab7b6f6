from django.db import models


class Greeting(models.Model):
    """What a visitor left behind."""

    name = models.CharField(max_length=80)
    text = models.CharField(max_length=200)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created", "-pk"]

    def __str__(self):
        return f"{self.name}: {self.text}"
