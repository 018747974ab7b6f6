#!/bin/sh
touch /srv/large/script-ran
