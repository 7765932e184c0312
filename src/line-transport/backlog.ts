/**
 * The backlog of a listening socket: taking in whom the kernel has accepted already. Closing would give them a RST, whatever they have
 * sent. Knows nothing of what becomes of them.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Node may take as few as one in a turn of the event loop, so it is asked until a turn brings none, or until it has brought as many
 * as can have been waiting: new clients keep coming meanwhile.
 * @param backlog the most that can be waiting
 * @param arrived how many connections have been taken from the kernel
 * @param isCut whether nobody is waited for any more
 */
export async function takeBacklog(
  backlog: number,
  arrived: () => number,
  isCut: () => boolean = () => false,
): Promise<void> {
  const last = arrived() + backlog + 1;
  for (let before = -1; before !== arrived() && arrived() < last && !isCut();) {
    before = arrived();
    await nextTurn();
    await nextTurn();
  }
}
