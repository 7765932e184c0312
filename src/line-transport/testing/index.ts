/** The testing kit's door. It needs no test runner, and nothing in it opens a socket. */
export { LineConversation } from './line-conversation.js';
