/** The transport's tests run twice (vitest.config.ts): with lines going the shortest way, and all through Nest's pipeline. */
import { Controller } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { KeyValueModule } from '../../examples/key-value/key-value.module.js';
import type { LineServer } from '../../src/line-transport/index.js';
import config from '../../vitest.config.js';
import { initExample } from '../support/example.js';
import { prepareLineApplication } from '../support/talk.js';
import { EveryAnswer } from './controllers.js';

@Controller()
class PlainController extends EveryAnswer {}

function waysOf({ commands }: LineServer): Set<string> {
  return new Set(commands.map(({ dispatch }) => dispatch));
}

describe('In the tests of the transport', () => {
  it('lines go the way of the project, directly or through the pipeline', async ({ task }) => {
    const { projectName } = task.file;
    const way = projectName === 'pipeline' ? 'pipeline' : 'direct';
    expect(waysOf(await prepareLineApplication([PlainController]))).toEqual(new Set([way]));
    const { server } = await initExample(KeyValueModule);
    expect(waysOf(server)).toEqual(new Set([way]));
  });

  it('there is a project for each way', () => {
    const projects = (config.test?.projects ?? []).map((project) =>
      typeof project === 'object' && 'test' in project ? project.test : undefined,
    );
    expect(projects).toEqual([
      expect.objectContaining({ name: 'all' }),
      expect.objectContaining({
        name: 'pipeline',
        include: expect.arrayContaining(['test/transport/**/*.spec.ts']),
      }),
    ]);
  });
});
