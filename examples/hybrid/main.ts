/** Counts on port 45000 by lines and on port 3000 by HTTP: `npm run example -- hybrid`. */
import { NestFactory } from '@nestjs/core';
import { connectLines } from './connect-lines.js';
import { HybridModule } from './hybrid.module.js';

const app = await NestFactory.create(HybridModule);
app.enableShutdownHooks();
await connectLines(app);
await app.listen(3000);
