# local_settings.py, as the operations write it
