tools:
  pkg.installed:
    - names:
      - lsof
      - strace
      - ncdu
      - jq
    - refresh: False

less: pkg.installed

bash-completion:
  pkg: [installed]
