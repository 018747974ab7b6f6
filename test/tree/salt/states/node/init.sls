nodesource:
  pkgrepo.managed:
    - name: deb [signed-by=/etc/apt/keyrings/nodesource.asc] https://deb.nodesource.com/node_20.x nodistro main
    - file: /etc/apt/sources.list.d/nodesource.list
    - key_url: https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key

nodejs:
  pkg.latest:
    - refresh: True
    - require:
      - pkgrepo: nodesource

yarn:
  npm.installed:
    - require:
      - pkg: nodejs

/etc/npmrc:
  file.managed:
    - contents: fund=false
    - mode: 644
