/** Versions (`3.11`) of the Python 3 interpreters among the programs of a directory, newest first. */
export function pythonVersions(programs: Iterable<string>): readonly string[] {
  const minors = new Set<number>();
  for (const program of programs) {
    const [, minor] = /^python3\.(\d+)$/u.exec(program) ?? [];
    if (minor !== undefined) minors.add(Number(minor));
  }
  return [...minors].toSorted((a, b) => b - a).map((minor) => `3.${minor}`);
}
