/**
 * What the log says, in both languages. The Indonesian lines of the old service are known to operators and kept to the letter
 * (docs/PROTOCOL.md); the event names are stable for machines. Knows nothing of where lines go.
 */

/** The events of the log; in JSON lines the value of `event`. */
export interface LogMessages {
  listening(place: string): string;
  connectionAccepted(client: string): string;
  conversationStarted(client: string): string;
  lineReceived(client: string, line: string): string;
  /** @param reply in words, as {@link reply} or the application says it */
  replySent(client: string, reply: string): string;
  reply(quoted: string): string;
  unknownCommand(client: string): string;
  badArguments(client: string): string;
  lineTooLong(client: string): string;
  lineRejected(client: string, line: string, reason: string): string;
  linesOmitted(client: string, count: number): string;
  quit(client: string): string;
  closedByClient(client: string): string;
  idleTimeout(client: string): string;
  lineTimeout(client: string): string;
  writeTimeout(client: string): string;
  tooManyErrors(client: string): string;
  closedByShutdown(client: string): string;
  connectionReset(client: string): string;
  connectionFailed(client: string, error: string): string;
  conversationOver(client: string): string;
  connectionRefused(client: string): string;
  addressRefused(client: string): string;
  tlsHandshakeFailed(client: string): string;
  addressDenied(client: string): string;
  proxyUntrusted(client: string): string;
  proxyHeaderFailed(client: string): string;
  proxyProbe(client: string): string;
  clientRefused(client: string): string;
  handlerFailed(client: string, line: string, error: string): string;
  serverFailed(error: string): string;
  strained(bufferedBytes: number): string;
  relieved(bufferedBytes: number): string;
  shutdownStarted(open: number): string;
  shutdownFinished(cut: number): string;
  socketInherited(): string;
  notifyFailed(reason: string): string;
  runningAsRoot(): string;
  settingMisspelt(name: string, meant: string): string;
  nothingToReload(): string;
  tlsReloaded(subject: string, validTo: string): string;
  tlsReloadFailed(reason: string): string;
  tlsCertificateExpires(subject: string, validTo: string): string;
  tlsCertificateNotYetValid(subject: string, validFrom: string): string;
  linesDropped(count: number): string;
  workerReady(worker: number, pid: number): string;
  /** @param how its exit code or signal, or why it did not begin */
  workerEnded(worker: number, how: string): string;
  workerKilled(worker: number): string;
  restartStarted(): string;
  restartFinished(): string;
  restartFailed(worker: number): string;
  managementListening(host: string, port: number): string;
  managementFailed(error: string): string;
  clockSynchronized(source: string): string;
  clockUnsynchronized(source: string): string;
  clockUnknown(): string;
}

const INDONESIAN: LogMessages = {
  listening: (place) => `Server aktif dan mendengarkan di ${place}...`,
  connectionAccepted: (client) => `Menerima koneksi baru dari ${client}`,
  conversationStarted: (client) => `Sesi baru untuk klien ${client} dimulai.`,
  lineReceived: (client, line) => `Menerima pesan dari ${client}: ${line}`,
  replySent: (client, reply) => `Mengirim ${reply} ke ${client}`,
  reply: (quoted) => `balasan ${quoted}`,
  unknownCommand: (client) => `Perintah tidak valid dari ${client}.`,
  badArguments: (client) => `Argumen tidak valid dari ${client}.`,
  lineTooLong: (client) => `Baris terlalu panjang dari ${client}.`,
  lineRejected: (client, line, reason) => `Menolak ${line} dari ${client}: ${reason}`,
  linesOmitted: (client, count) =>
    `${count} baris log tentang pesan dari ${client} tidak ditulis: terlalu banyak.`,
  quit: (client) => `Klien ${client} meminta keluar. Koneksi ditutup.`,
  closedByClient: (client) => `Klien ${client} menutup koneksi tanpa perintah QUIT.`,
  idleTimeout: (client) => `Klien ${client} terlalu lama diam. Koneksi ditutup.`,
  lineTimeout: (client) => `Klien ${client} tidak menyelesaikan barisnya. Koneksi ditutup.`,
  writeTimeout: (client) => `Klien ${client} tidak membaca balasan. Koneksi diputus.`,
  tooManyErrors: (client) => `Klien ${client} terlalu banyak membuat kesalahan. Koneksi ditutup.`,
  closedByShutdown: (client) => `Koneksi dengan ${client} ditutup karena server berhenti.`,
  connectionReset: (client) => `Koneksi dengan ${client} terputus secara paksa oleh klien.`,
  connectionFailed: (client, error) => `Koneksi dengan ${client} gagal: ${error}.`,
  conversationOver: (client) => `Sesi untuk klien ${client} telah berhenti.`,
  connectionRefused: (client) => `Koneksi dari ${client} ditolak: server penuh.`,
  addressRefused: (client) =>
    `Koneksi dari ${client} ditolak: terlalu banyak koneksi dari alamat ini.`,
  tlsHandshakeFailed: (client) => `Koneksi dari ${client} ditolak: TLS gagal.`,
  addressDenied: (client) => `Koneksi dari ${client} ditolak: alamat ini tidak diizinkan.`,
  proxyUntrusted: (client) => `Koneksi dari ${client} ditolak: bukan proksi yang dipercaya.`,
  proxyHeaderFailed: (client) => `Koneksi dari proksi ${client} ditolak: header PROXY tidak sah.`,
  proxyProbe: (client) => `Proksi ${client} memeriksa apakah server mendengarkan.`,
  clientRefused: (client) => `Klien ${client} ditolak. Koneksi ditutup.`,
  handlerFailed: (client, line, error) => `Gagal menjawab ${line} dari ${client}: ${error}`,
  serverFailed: (error) => `Soket server gagal: ${error}.`,
  strained: (bytes) => `Penyangga penuh: ${bytes} byte. Klien yang paling rakus tidak dibaca dulu.`,
  relieved: (bytes) => `Penyangga lega kembali: ${bytes} byte.`,
  shutdownStarted: (open) => `Server berhenti menerima koneksi. ${open} sesi diselesaikan...`,
  shutdownFinished: (cut) =>
    cut === 0 ? 'Server berhenti.' : `Server berhenti. ${cut} sesi diputus.`,
  socketInherited: () => 'Memakai soket dari systemd. HOST dan PORT tidak berlaku.',
  notifyFailed: (reason) => `systemd tidak dapat diberi tahu: ${reason}.`,
  runningAsRoot: () => 'Layanan berjalan sebagai root, padahal tidak perlu hak istimewa.',
  settingMisspelt: (name, meant) => `Variabel ${name} tidak dikenal. Maksudnya ${meant}?`,
  nothingToReload: () => 'SIGHUP: tidak ada yang perlu dimuat ulang.',
  tlsReloaded: (subject, validTo) =>
    `Sertifikat TLS dimuat ulang: ${subject}, berlaku sampai ${validTo}.`,
  tlsReloadFailed: (reason) =>
    `Sertifikat TLS gagal dimuat ulang, yang lama tetap dipakai: ${reason}`,
  tlsCertificateExpires: (subject, validTo) =>
    `Sertifikat TLS ${subject} hanya berlaku sampai ${validTo}.`,
  tlsCertificateNotYetValid: (subject, validFrom) =>
    `Sertifikat TLS ${subject} baru berlaku mulai ${validFrom}.`,
  linesDropped: (count) => `${count} baris log dibuang karena pembaca log terlalu lambat.`,
  workerReady: (worker, pid) => `Pekerja ${worker} (pid ${pid}) siap melayani.`,
  workerEnded: (worker, how) => `Pekerja ${worker} berhenti tanpa diminta (${how}).`,
  workerKilled: (worker) =>
    `Pekerja ${worker} tidak menanggapi pada waktunya dan dihentikan paksa.`,
  restartStarted: () => 'Semua pekerja diganti satu per satu...',
  restartFinished: () => 'Semua pekerja telah diganti.',
  restartFailed: (worker) =>
    `Pekerja baru ${worker} tidak siap melayani. Pekerja yang lama tetap melayani.`,
  managementListening: (host, port) => `Port manajemen ${port} aktif di ${host}.`,
  managementFailed: (error) => `Port manajemen gagal: ${error}.`,
  clockSynchronized: (source) => `Jam mesin ini tersinkronisasi, kata ${source}.`,
  clockUnsynchronized: (source) =>
    `Jam mesin ini TIDAK tersinkronisasi, kata ${source}. Waktu yang diberikan bisa salah.`,
  clockUnknown: () => 'Tidak diketahui apakah jam mesin ini tersinkronisasi.',
};

const ENGLISH: LogMessages = {
  listening: (place) => `Server is up and listening on ${place}...`,
  connectionAccepted: (client) => `Accepted a new connection from ${client}`,
  conversationStarted: (client) => `New session for client ${client} started.`,
  lineReceived: (client, line) => `Received message from ${client}: ${line}`,
  replySent: (client, reply) => `Sent ${reply} to ${client}`,
  reply: (quoted) => `reply ${quoted}`,
  unknownCommand: (client) => `Invalid command from ${client}.`,
  badArguments: (client) => `Invalid arguments from ${client}.`,
  lineTooLong: (client) => `Line too long from ${client}.`,
  lineRejected: (client, line, reason) => `Rejected ${line} from ${client}: ${reason}`,
  linesOmitted: (client, count) =>
    `${count} log lines about messages from ${client} were left out: too many.`,
  quit: (client) => `Client ${client} asked to quit. Connection closed.`,
  closedByClient: (client) => `Client ${client} closed the connection without QUIT.`,
  idleTimeout: (client) => `Client ${client} was silent too long. Connection closed.`,
  lineTimeout: (client) => `Client ${client} did not finish its line. Connection closed.`,
  writeTimeout: (client) => `Client ${client} did not read its replies. Connection cut.`,
  tooManyErrors: (client) => `Client ${client} made too many errors. Connection closed.`,
  closedByShutdown: (client) => `Connection with ${client} closed: the server is stopping.`,
  connectionReset: (client) => `Connection with ${client} was cut by the client.`,
  connectionFailed: (client, error) => `Connection with ${client} failed: ${error}.`,
  conversationOver: (client) => `Session for client ${client} is over.`,
  connectionRefused: (client) => `Connection from ${client} refused: server full.`,
  addressRefused: (client) =>
    `Connection from ${client} refused: too many connections from this address.`,
  tlsHandshakeFailed: (client) => `Connection from ${client} refused: TLS failed.`,
  addressDenied: (client) => `Connection from ${client} refused: this address is not allowed.`,
  proxyUntrusted: (client) => `Connection from ${client} refused: not a trusted proxy.`,
  proxyHeaderFailed: (client) => `Connection from proxy ${client} refused: no valid PROXY header.`,
  proxyProbe: (client) => `Proxy ${client} looked whether the server listens.`,
  clientRefused: (client) => `Client ${client} was refused. Connection closed.`,
  handlerFailed: (client, line, error) => `Failed to answer ${line} from ${client}: ${error}`,
  serverFailed: (error) => `Server socket failed: ${error}.`,
  strained: (bytes) => `Buffers full: ${bytes} bytes. The greediest clients are not read for now.`,
  relieved: (bytes) => `Buffers have room again: ${bytes} bytes.`,
  shutdownStarted: (open) => `Server stopped accepting. ${open} sessions are finishing...`,
  shutdownFinished: (cut) =>
    cut === 0 ? 'Server stopped.' : `Server stopped. ${cut} sessions were cut.`,
  socketInherited: () => 'Uses the socket of systemd. HOST and PORT have no effect.',
  notifyFailed: (reason) => `systemd cannot be told anything: ${reason}.`,
  runningAsRoot: () => 'The service runs as root, and needs no privileges.',
  settingMisspelt: (name, meant) => `Variable ${name} is unknown. Did you mean ${meant}?`,
  nothingToReload: () => 'SIGHUP: there is nothing to reload.',
  tlsReloaded: (subject, validTo) =>
    `Reloaded the TLS certificate: ${subject}, valid to ${validTo}.`,
  tlsReloadFailed: (reason) =>
    `Failed to reload the TLS certificate, the old one stays in use: ${reason}`,
  tlsCertificateExpires: (subject, validTo) =>
    `The TLS certificate ${subject} is valid only to ${validTo}.`,
  tlsCertificateNotYetValid: (subject, validFrom) =>
    `The TLS certificate ${subject} is valid only from ${validFrom}.`,
  linesDropped: (count) => `${count} log lines were dropped: the log's reader is too slow.`,
  workerReady: (worker, pid) => `Worker ${worker} (pid ${pid}) is ready.`,
  workerEnded: (worker, how) => `Worker ${worker} ended without being told to (${how}).`,
  workerKilled: (worker) => `Worker ${worker} did not respond in time and was killed.`,
  restartStarted: () => 'Replacing all workers one after the other...',
  restartFinished: () => 'All workers are replaced.',
  restartFailed: (worker) => `New worker ${worker} did not get ready. The old ones stay.`,
  managementListening: (host, port) => `Management port ${port} is up on ${host}.`,
  managementFailed: (error) => `Management port failed: ${error}.`,
  clockSynchronized: (source) => `The clock of this machine is synchronized, says ${source}.`,
  clockUnsynchronized: (source) =>
    `The clock of this machine is NOT synchronized, says ${source}. The time told may be wrong.`,
  clockUnknown: () => 'Whether the clock of this machine is synchronized is not known.',
};

export const LOG_MESSAGES = { id: INDONESIAN, en: ENGLISH } as const;
