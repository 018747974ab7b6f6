from django.test import TestCase
from django.urls import reverse

from .models import Greeting


class HomeTest(TestCase):
    def test_shows_the_greeting_of_the_migration(self):
        self.assertContains(self.client.get(reverse("home")), "Hello from the database")

    def test_keeps_what_a_visitor_says(self):
        self.client.post(reverse("greet"), {"name": "Noa", "text": "Shalom"})
        self.assertContains(self.client.get(reverse("home")), "Shalom")
        self.assertEqual(str(Greeting.objects.first()), "Noa: Shalom")

    def test_keeps_nothing_without_a_name(self):
        self.client.post(reverse("greet"), {"name": " ", "text": "Shalom"})
        self.assertEqual(Greeting.objects.filter(text="Shalom").count(), 0)

    def test_escapes_what_a_visitor_says(self):
        self.client.post(reverse("greet"), {"name": "<b>", "text": "<script>"})
        self.assertNotContains(self.client.get(reverse("home")), "<script>")


class AdminTest(TestCase):
    def test_asks_for_a_login(self):
        self.assertRedirects(self.client.get("/admin/"), "/admin/login/?next=/admin/")
