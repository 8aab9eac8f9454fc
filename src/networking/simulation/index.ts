/**
 * Networking in memory, under a virtual clock, from a seed.
 *
 * @module
 */
export { EventDigest } from './event-digest.ts';
export { CALM, drawConditions, drawDatagramConditions } from './link-conditions.ts';
export type { LinkConditions } from './link-conditions.ts';
export { SeededRandom } from './seeded-random.ts';
export { SimulatedNetwork } from './simulated-network.ts';
export type { SimulatedNetworkOptions } from './simulated-network.ts';
export { SimulatedNetworking } from './simulated-networking.ts';
export { runSimulation, Simulation, SimulationError } from './simulation.ts';
export type { Describable, SimulationOptions, SimulationResult } from './simulation.ts';
export { VirtualClock } from './virtual-clock.ts';
export type { CountingClock, VirtualClockOptions } from './virtual-clock.ts';
