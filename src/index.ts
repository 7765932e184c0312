/** The package's public door: the time service's parts, to embed them in another application. */
export { ClockService, TIME_ZONE } from './time/clock.service.js';
export { FixedClock } from './time/fixed-clock.js';
export { TIME_SERVICE, TimeClient } from './time/time-client.js';
export { TimeController } from './time/time.controller.js';
export { TimeModule } from './time/time.module.js';
export { describeReply, jam, type Locale, WORDS } from './time/time-protocol.js';
