import { describe, expect, it } from 'vitest';
import { LOG_MESSAGES, type LogMessages } from './log-messages.js';

const C = "('172.16.16.102', 40036)";

/** Every message, as it is in Indonesian and in English. */
const MESSAGES: Record<
  keyof LogMessages,
  [say: (m: LogMessages) => string, id: string, en: string]
> = {
  listening: [
    (m) => m.listening('port 45000'),
    'Server aktif dan mendengarkan di port 45000...',
    'Server is up and listening on port 45000...',
  ],
  connectionAccepted: [
    (m) => m.connectionAccepted(C),
    `Menerima koneksi baru dari ${C}`,
    `Accepted a new connection from ${C}`,
  ],
  conversationStarted: [
    (m) => m.conversationStarted(C),
    `Sesi baru untuk klien ${C} dimulai.`,
    `New session for client ${C} started.`,
  ],
  lineReceived: [
    (m) => m.lineReceived(C, "'TIME'"),
    `Menerima pesan dari ${C}: 'TIME'`,
    `Received message from ${C}: 'TIME'`,
  ],
  replySent: [
    (m) => m.replySent(C, "waktu '06:14:20'"),
    `Mengirim waktu '06:14:20' ke ${C}`,
    `Sent waktu '06:14:20' to ${C}`,
  ],
  reply: [(m) => m.reply("'PONG'"), "balasan 'PONG'", "reply 'PONG'"],
  unknownCommand: [
    (m) => m.unknownCommand(C),
    `Perintah tidak valid dari ${C}.`,
    `Invalid command from ${C}.`,
  ],
  badArguments: [
    (m) => m.badArguments(C),
    `Argumen tidak valid dari ${C}.`,
    `Invalid arguments from ${C}.`,
  ],
  lineTooLong: [
    (m) => m.lineTooLong(C),
    `Baris terlalu panjang dari ${C}.`,
    `Line too long from ${C}.`,
  ],
  lineRejected: [
    (m) => m.lineRejected(C, "'ADD x'", 'Validation failed'),
    `Menolak 'ADD x' dari ${C}: Validation failed`,
    `Rejected 'ADD x' from ${C}: Validation failed`,
  ],
  linesOmitted: [
    (m) => m.linesOmitted(C, 12),
    `12 baris log tentang pesan dari ${C} tidak ditulis: terlalu banyak.`,
    `12 log lines about messages from ${C} were left out: too many.`,
  ],
  quit: [
    (m) => m.quit(C),
    `Klien ${C} meminta keluar. Koneksi ditutup.`,
    `Client ${C} asked to quit. Connection closed.`,
  ],
  closedByClient: [
    (m) => m.closedByClient(C),
    `Klien ${C} menutup koneksi tanpa perintah QUIT.`,
    `Client ${C} closed the connection without QUIT.`,
  ],
  idleTimeout: [
    (m) => m.idleTimeout(C),
    `Klien ${C} terlalu lama diam. Koneksi ditutup.`,
    `Client ${C} was silent too long. Connection closed.`,
  ],
  lineTimeout: [
    (m) => m.lineTimeout(C),
    `Klien ${C} tidak menyelesaikan barisnya. Koneksi ditutup.`,
    `Client ${C} did not finish its line. Connection closed.`,
  ],
  writeTimeout: [
    (m) => m.writeTimeout(C),
    `Klien ${C} tidak membaca balasan. Koneksi diputus.`,
    `Client ${C} did not read its replies. Connection cut.`,
  ],
  tooManyErrors: [
    (m) => m.tooManyErrors(C),
    `Klien ${C} terlalu banyak membuat kesalahan. Koneksi ditutup.`,
    `Client ${C} made too many errors. Connection closed.`,
  ],
  closedByShutdown: [
    (m) => m.closedByShutdown(C),
    `Koneksi dengan ${C} ditutup karena server berhenti.`,
    `Connection with ${C} closed: the server is stopping.`,
  ],
  connectionReset: [
    (m) => m.connectionReset(C),
    `Koneksi dengan ${C} terputus secara paksa oleh klien.`,
    `Connection with ${C} was cut by the client.`,
  ],
  connectionFailed: [
    (m) => m.connectionFailed(C, 'read ETIMEDOUT'),
    `Koneksi dengan ${C} gagal: read ETIMEDOUT.`,
    `Connection with ${C} failed: read ETIMEDOUT.`,
  ],
  conversationOver: [
    (m) => m.conversationOver(C),
    `Sesi untuk klien ${C} telah berhenti.`,
    `Session for client ${C} is over.`,
  ],
  connectionRefused: [
    (m) => m.connectionRefused(C),
    `Koneksi dari ${C} ditolak: server penuh.`,
    `Connection from ${C} refused: server full.`,
  ],
  addressRefused: [
    (m) => m.addressRefused(C),
    `Koneksi dari ${C} ditolak: terlalu banyak koneksi dari alamat ini.`,
    `Connection from ${C} refused: too many connections from this address.`,
  ],
  tlsHandshakeFailed: [
    (m) => m.tlsHandshakeFailed(C),
    `Koneksi dari ${C} ditolak: TLS gagal.`,
    `Connection from ${C} refused: TLS failed.`,
  ],
  addressDenied: [
    (m) => m.addressDenied(C),
    `Koneksi dari ${C} ditolak: alamat ini tidak diizinkan.`,
    `Connection from ${C} refused: this address is not allowed.`,
  ],
  proxyUntrusted: [
    (m) => m.proxyUntrusted(C),
    `Koneksi dari ${C} ditolak: bukan proksi yang dipercaya.`,
    `Connection from ${C} refused: not a trusted proxy.`,
  ],
  proxyHeaderFailed: [
    (m) => m.proxyHeaderFailed(C),
    `Koneksi dari proksi ${C} ditolak: header PROXY tidak sah.`,
    `Connection from proxy ${C} refused: no valid PROXY header.`,
  ],
  proxyProbe: [
    (m) => m.proxyProbe(C),
    `Proksi ${C} memeriksa apakah server mendengarkan.`,
    `Proxy ${C} looked whether the server listens.`,
  ],
  clientRefused: [
    (m) => m.clientRefused(C),
    `Klien ${C} ditolak. Koneksi ditutup.`,
    `Client ${C} was refused. Connection closed.`,
  ],
  handlerFailed: [
    (m) => m.handlerFailed(C, "'TIME'", 'boom'),
    `Gagal menjawab 'TIME' dari ${C}: boom`,
    `Failed to answer 'TIME' from ${C}: boom`,
  ],
  serverFailed: [
    (m) => m.serverFailed('accept EMFILE'),
    'Soket server gagal: accept EMFILE.',
    'Server socket failed: accept EMFILE.',
  ],
  strained: [
    (m) => m.strained(1_024),
    'Penyangga penuh: 1024 byte. Klien yang paling rakus tidak dibaca dulu.',
    'Buffers full: 1024 bytes. The greediest clients are not read for now.',
  ],
  relieved: [
    (m) => m.relieved(512),
    'Penyangga lega kembali: 512 byte.',
    'Buffers have room again: 512 bytes.',
  ],
  shutdownStarted: [
    (m) => m.shutdownStarted(3),
    'Server berhenti menerima koneksi. 3 sesi diselesaikan...',
    'Server stopped accepting. 3 sessions are finishing...',
  ],
  shutdownFinished: [(m) => m.shutdownFinished(0), 'Server berhenti.', 'Server stopped.'],
  socketInherited: [
    (m) => m.socketInherited(),
    'Memakai soket dari systemd. HOST dan PORT tidak berlaku.',
    'Uses the socket of systemd. HOST and PORT have no effect.',
  ],
  notifyFailed: [
    (m) => m.notifyFailed('spawn systemd-notify ENOENT'),
    'systemd tidak dapat diberi tahu: spawn systemd-notify ENOENT.',
    'systemd cannot be told anything: spawn systemd-notify ENOENT.',
  ],
  runningAsRoot: [
    (m) => m.runningAsRoot(),
    'Layanan berjalan sebagai root, padahal tidak perlu hak istimewa.',
    'The service runs as root, and needs no privileges.',
  ],
  settingMisspelt: [
    (m) => m.settingMisspelt('TIMEZONE', 'TIME_ZONE'),
    'Variabel TIMEZONE tidak dikenal. Maksudnya TIME_ZONE?',
    'Variable TIMEZONE is unknown. Did you mean TIME_ZONE?',
  ],
  nothingToReload: [
    (m) => m.nothingToReload(),
    'SIGHUP: tidak ada yang perlu dimuat ulang.',
    'SIGHUP: there is nothing to reload.',
  ],
  tlsReloaded: [
    (m) => m.tlsReloaded('CN=x', '2027-01-31T00:00:00.000Z'),
    'Sertifikat TLS dimuat ulang: CN=x, berlaku sampai 2027-01-31T00:00:00.000Z.',
    'Reloaded the TLS certificate: CN=x, valid to 2027-01-31T00:00:00.000Z.',
  ],
  tlsReloadFailed: [
    (m) => m.tlsReloadFailed('TLS_KEY_FILE must be a key'),
    'Sertifikat TLS gagal dimuat ulang, yang lama tetap dipakai: TLS_KEY_FILE must be a key',
    'Failed to reload the TLS certificate, the old one stays in use: TLS_KEY_FILE must be a key',
  ],
  tlsCertificateExpires: [
    (m) => m.tlsCertificateExpires('CN=x', '2027-01-31T00:00:00.000Z'),
    'Sertifikat TLS CN=x hanya berlaku sampai 2027-01-31T00:00:00.000Z.',
    'The TLS certificate CN=x is valid only to 2027-01-31T00:00:00.000Z.',
  ],
  tlsCertificateNotYetValid: [
    (m) => m.tlsCertificateNotYetValid('CN=x', '2027-01-31T00:00:00.000Z'),
    'Sertifikat TLS CN=x baru berlaku mulai 2027-01-31T00:00:00.000Z.',
    'The TLS certificate CN=x is valid only from 2027-01-31T00:00:00.000Z.',
  ],
  linesDropped: [
    (m) => m.linesDropped(12),
    '12 baris log dibuang karena pembaca log terlalu lambat.',
    "12 log lines were dropped: the log's reader is too slow.",
  ],
  workerReady: [
    (m) => m.workerReady(3, 4711),
    'Pekerja 3 (pid 4711) siap melayani.',
    'Worker 3 (pid 4711) is ready.',
  ],
  workerEnded: [
    (m) => m.workerEnded(3, 'SIGKILL'),
    'Pekerja 3 berhenti tanpa diminta (SIGKILL).',
    'Worker 3 ended without being told to (SIGKILL).',
  ],
  workerKilled: [
    (m) => m.workerKilled(3),
    'Pekerja 3 tidak menanggapi pada waktunya dan dihentikan paksa.',
    'Worker 3 did not respond in time and was killed.',
  ],
  restartStarted: [
    (m) => m.restartStarted(),
    'Semua pekerja diganti satu per satu...',
    'Replacing all workers one after the other...',
  ],
  restartFinished: [
    (m) => m.restartFinished(),
    'Semua pekerja telah diganti.',
    'All workers are replaced.',
  ],
  restartFailed: [
    (m) => m.restartFailed(3),
    'Pekerja baru 3 tidak siap melayani. Pekerja yang lama tetap melayani.',
    'New worker 3 did not get ready. The old ones stay.',
  ],
  managementListening: [
    (m) => m.managementListening('127.0.0.1', 9464),
    'Port manajemen 9464 aktif di 127.0.0.1.',
    'Management port 9464 is up on 127.0.0.1.',
  ],
  managementFailed: [
    (m) => m.managementFailed('accept EMFILE'),
    'Port manajemen gagal: accept EMFILE.',
    'Management port failed: accept EMFILE.',
  ],
  clockSynchronized: [
    (m) => m.clockSynchronized('chrony'),
    'Jam mesin ini tersinkronisasi, kata chrony.',
    'The clock of this machine is synchronized, says chrony.',
  ],
  clockUnsynchronized: [
    (m) => m.clockUnsynchronized('kernel'),
    'Jam mesin ini TIDAK tersinkronisasi, kata kernel. Waktu yang diberikan bisa salah.',
    'The clock of this machine is NOT synchronized, says kernel. The time told may be wrong.',
  ],
  clockUnknown: [
    (m) => m.clockUnknown(),
    'Tidak diketahui apakah jam mesin ini tersinkronisasi.',
    'Whether the clock of this machine is synchronized is not known.',
  ],
};

describe('the messages of the log', () => {
  it('are the same events in both languages', () => {
    expect(Object.keys(LOG_MESSAGES.id)).toEqual(Object.keys(MESSAGES));
    expect(Object.keys(LOG_MESSAGES.en)).toEqual(Object.keys(MESSAGES));
  });

  it.each(Object.entries(MESSAGES))('say %s in Indonesian and in English', (_event, message) => {
    const [say, indonesian, english] = message;
    expect(say(LOG_MESSAGES.id)).toBe(indonesian);
    expect(say(LOG_MESSAGES.en)).toBe(english);
  });

  it('say how many sessions a shutdown has cut, if any', () => {
    expect(LOG_MESSAGES.id.shutdownFinished(2)).toBe('Server berhenti. 2 sesi diputus.');
    expect(LOG_MESSAGES.en.shutdownFinished(2)).toBe('Server stopped. 2 sessions were cut.');
  });
});
