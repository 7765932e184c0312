/**
 * Which name was probably meant by one that is unknown. Knows nothing of what the names are of.
 */
import { closestMatch } from 'leven';

/**
 * One letter may be wrong in a short name, two in a long one (HOME is not HOST, PATH is not PORT); and a part of at least two
 * words at the begin of a name means it (IDLE_TIMEOUT), as does a missing or an extra underscore (TIMEZONE).
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  if (names.includes(name)) return name;
  const begun = names.find((ours) => name.includes('_') && ours.startsWith(`${name}_`));
  return begun ?? closestMatch(name, names, { maxDistance: name.length < 8 ? 1 : 2 });
}
