/**
 * A stream that says something and then fails.
 */
import { concat, type Observable, of, throwError } from 'rxjs';

export function failsAfter<Reply>(reply: Reply, message: string): Observable<Reply> {
  return concat(
    of(reply),
    throwError(() => new Error(message)),
  );
}
