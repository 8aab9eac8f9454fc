/**
 * The even seeds of quic-connections, which run beside the odd ones.
 */
import { defineWeather } from '../support/quic/weather.ts';

defineWeather(0);
