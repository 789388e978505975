/** Entries whose title has the letters of a text in their order; those that begin with it first. */
export function matching<Entry extends { title: string }>(entries: Entry[], text: string): Entry[] {
  const wanted = text.trim().toLowerCase();
  const rank = ({ title }: Entry) => {
    const lower = title.toLowerCase();
    if (lower.startsWith(wanted)) return 0;
    return lower.includes(wanted) ? 1 : hasInOrder(lower, wanted) ? 2 : 3;
  };
  const ranked = entries.map((entry) => [rank(entry), entry] as const).filter(([each]) => each < 3);
  return ranked.sort(([one], [other]) => one - other).map(([, entry]) => entry);
}

function hasInOrder(text: string, letters: string): boolean {
  let from = 0;
  for (const letter of letters) {
    const at = text.indexOf(letter, from);
    if (at < 0) return false;
    from = at + 1;
  }
  return true;
}
