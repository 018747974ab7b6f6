php dependencies:
  pkg.installed:
    - pkgs:
      - php-fpm
      - php-cli
      - php-mbstring
      - php-xml
      - php-curl

php cli config:
  file.managed:
    - name: /etc/php/8.2/cli/conf.d/20-elife.ini
    - source: salt://elife/files/php-cli.ini
    - makedirs: True
    - require:
      - php dependencies

php fpm config:
  file.managed:
    - name: /etc/php/8.2/fpm/conf.d/20-elife.ini
    - source: salt://elife/files/php-fpm.ini
    - makedirs: True
    - require:
      - php dependencies
    - listen_in:
      - service: php-fpm

php-fpm:
  service.running:
    - name: php8.2-fpm
    - enable: True
    - require:
      - pkg: php dependencies

install composer:
  cmd.run:
    - name: |
        cd /tmp
        wget -q https://getcomposer.org/installer -O composer-setup.php
        php composer-setup.php --install-dir=/usr/local/bin --filename=composer
        rm composer-setup.php
    - creates: /usr/local/bin/composer
    - require:
      - php dependencies

update composer:
  cmd.run:
    - name: composer self-update
    - onlyif:
      - test -x /usr/local/bin/composer
    - require:
      - cmd: install composer
