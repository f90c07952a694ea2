// Package fleet is a simulated environment: one goroutine, one queue of events, one seed.
// It runs what decides in the product and nothing that merely does:
//
//	agent.Step                        every machine's upgrade
//	trial.Decide, RolledBack, …       the judge of a trial
//	statesrv/decide                   what the state server decides: requests, reports, time, the plan
//	statesrv/writer                   its writer and fence
//	projections, rollout              fold and plan
//	bus/memlog                        the log
//
// Disk, processes, network and clocks are small models with faults: processes are killed
// and hosts lose power between any two effects, messages are lost, doubled, late and out
// of order, acknowledgements get lost, appends end in doubt, two state servers believe they
// lead, releases are bad in many ways, clocks jump, disks fill up. What must always hold is
// checked after every event (check.go); at the end the faults stop, and everything must
// come to the newest version.
//
// A run is a function of its Config: a failure names the seed, and the seed gives the same
// run again. Not simulated: workloads, enrolment, the tools' way into the store.
package fleet
