from django.db import migrations


def greet(apps, schema_editor):
    greeting = apps.get_model("greetings", "Greeting")
    greeting.objects.get_or_create(name="Conductor", text="Hello from the database")


class Migration(migrations.Migration):
    dependencies = [("greetings", "0001_initial")]
    operations = [migrations.RunPython(greet, migrations.RunPython.noop)]
