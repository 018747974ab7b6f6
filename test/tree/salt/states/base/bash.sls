/root/.bashrc:
  file.append:
    - text:
      - export HISTSIZE=10000
      - alias ll='ls -la'

/etc/bash.bashrc:
  file.replace:
    - pattern: '^#?PROMPT_DIRTRIM=.*$'
    - repl: PROMPT_DIRTRIM=3
    - append_if_not_found: True

/etc/profile.d/editor.sh:
  file.managed:
    - contents: export EDITOR=vim
    - mode: 644

/etc/inputrc:
  file.line:
    - content: set completion-ignore-case on
    - mode: ensure
    - after: .*meta-flag.*
