/**
 * ServiceState: what readiness is judged from. Knows nothing of HTTP, and not whether one process serves or several: in one process
 * it is the line server's (`line-service-state.ts`), in the primary of several the supervisor's.
 */

/** How the service is now; it is read at every question. */
export interface ServiceState {
  /** Whether clients can connect. */
  readonly isListening: boolean;
  /** Whether the service was told to end; it may serve on for `SHUTDOWN_DELAY_MS`. */
  readonly isLeaving: boolean;
  /** Conversations that are not over. */
  readonly open: number;
  /** The most conversations at once. */
  readonly max: number;
}

/** The injection token of the {@link ServiceState}. */
export const SERVICE_STATE = Symbol('service state');
