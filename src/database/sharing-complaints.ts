import type { Complaint } from './wire.js'

/** What clients of a shared session are told when it goes otherwise than they wished. */

export const CANCELLED: Complaint = {
  severity: 'ERROR',
  sqlstate: '57014',
  message: 'canceling statement due to user request',
}

export const CANCELLED_FATAL: Complaint = {
  ...CANCELLED,
  severity: 'FATAL',
  detail: 'The embedded engine can only be stopped as a whole, and this session with it.',
  hint: 'Connect again: the engine has been started anew.',
}

export const CRASHED: Complaint = {
  severity: 'FATAL',
  sqlstate: '57P02',
  message: 'the embedded engine broke down, and with it this session',
  hint: 'Connect again: the engine has been started anew.',
}

export const SHUTTING_DOWN: Complaint = {
  severity: 'FATAL',
  sqlstate: '57P01',
  message: 'terminating connection due to administrator command',
}

export function otherEncoding(encoding: string): Complaint {
  return {
    severity: 'ERROR',
    sqlstate: '0A000',
    message: `the embedded engine answers in UTF8, not in ${encoding}`,
    hint: 'client_encoding is UTF8 again.',
  }
}

export function waitingFor(sentence: string): Complaint {
  return { severity: 'NOTICE', sqlstate: '00000', message: `waiting for ${sentence}`, hint: ONE_SESSION }
}

export function tooLong(sentence: string, waitedMs: number): Complaint {
  return {
    severity: 'ERROR',
    sqlstate: '55P03',
    message: `waited ${String(Math.round(waitedMs / 1_000))} s for ${sentence} and does nothing`,
    hint: `${ONE_SESSION} End it there, or close that client.`,
  }
}

const ONE_SESSION = 'The embedded engine has one session for all its clients.'
