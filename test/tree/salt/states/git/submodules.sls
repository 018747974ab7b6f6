theme:
  git.latest:
    - name: https://git.example.org/theme.git
    - target: /srv/theme
    - submodules: True
    - force_checkout: True
    - force_fetch: True

npm ci:
  cmd.run:
    - cwd: /srv/theme
    - runas: www-data
    - creates: /srv/theme/node_modules
    - require:
      - git: theme

npm run build:
  cmd.run:
    - cwd: /srv/theme
    - runas: www-data
    - onchanges:
      - git: theme
      - cmd: npm ci
