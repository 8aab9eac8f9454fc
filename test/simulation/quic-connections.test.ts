/**
 * QUIC clients and a server over a network that loses up to 30% of the datagrams, and delays, doubles, spoils and cuts
 * them, behind a NAT that changes its mind: every byte comes once and in order, every connection ends, nothing is left
 * (RFC 9000, RFC 9002). The other half of the seeds is in quic-connections-2.
 */
import { defineWeather } from '../support/quic/weather.ts';

defineWeather(1);
