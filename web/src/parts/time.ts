const STEPS: [number, string][] = [[86_400, 'd'], [3_600, 'h'], [60, 'min']];

/** How long ago a moment was: `now`, `3 min ago`, `2 h ago`, `5 d ago`; a moment to come is `in 5 min`. */
export function ago(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  for (const [length, unit] of STEPS) {
    const count = Math.floor(Math.abs(seconds) / length);
    if (count > 0) return seconds > 0 ? `${count} ${unit} ago` : `in ${count} ${unit}`;
  }
  return 'now';
}

/** A duration in seconds: `0:04`, `1:02:09`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const two = (number: number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** A moment in the viewer's own zone, and in UTC. */
export function exact(at: string): string {
  const moment = new Date(at);
  const own = moment.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
  return `${own}\n${moment.toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}
