/** Files of sysctl.d. Their bytes stand for themselves (Latin-1), so that lines of others stay as they are. */

/** Where a parameter is below /proc/sys. As sysctl reads it: what comes first, dot or slash, separates. */
export function parameterPath(name: string): string {
  if (/[./]/u.exec(name)?.[0] === '/') return name;
  return name.replaceAll(/[./]/gu, (mark) => (mark === '.' ? '/' : '.'));
}

const SETTING = /^\s*-?\s*(?<name>[^#;=\s][^=]*?)\s*=\s*(?<value>.*?)\s*$/u;

/** The value that a file gives a parameter: its last one; `null` if it says nothing of it. */
export function settingIn(text: string, name: string): string | null {
  const last = text.split('\n').findLast((line) => isSettingOf(line, name));
  const value = SETTING.exec(last ?? '')?.groups?.['value'];
  return value === undefined ? null : value.replaceAll(/\s+/gu, ' ');
}

function isSettingOf(line: string, name: string): boolean {
  const found = SETTING.exec(line)?.groups?.['name'];
  return found !== undefined && parameterPath(found) === parameterPath(name);
}

/** The file with this one value: in place of the first line that gives one, or at the end. */
export function withSetting(text: string, name: string, value: string): string {
  const lines = text === '' ? [] : text.replace(/\n$/u, '').split('\n');
  const first = lines.findIndex((line) => isSettingOf(line, name));
  const written = Buffer.from(`${name} = ${value}`, 'utf8').toString('latin1');
  const changed = first === -1 ? [...lines, written] : lines.with(first, written);
  const kept = changed.filter(
    (line, index) => index === first || line === written || !isSettingOf(line, name),
  );
  return `${kept.join('\n')}\n`;
}
