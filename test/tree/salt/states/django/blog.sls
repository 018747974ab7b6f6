# Declared from the end: everything comes before what needs it.
blog service:
  service.running:
    - name: blog
    - require:
      - cmd: migrate blog
    - watch:
      - file: /etc/systemd/system/blog.service

migrate blog:
  cmd.run:
    - name: ./manage.py migrate
    - cwd: /srv/blog/code
    - runas: blog
    - unless: ./manage.py migrate --check
    - require:
      - pip: blog packages

blog packages:
  pip.installed:
    - bin_env: /srv/blog/env
    - requirements: /srv/blog/code/requirements.txt
    - user: blog
    - require:
      - virtualenv: /srv/blog/env

/srv/blog/env:
  virtualenv.managed:
    - user: blog
    - system_site_packages: False
    - require:
      - git: blog code

blog code:
  git.latest:
    - name: https://git.example.org/blog.git
    - target: /srv/blog/code
    - user: blog
    - branch: main
    - rev: main

/etc/systemd/system/blog.service:
  file.managed:
    - source: salt://django/files/blog.service
