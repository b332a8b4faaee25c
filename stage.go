package padron

import "time"

// Stage is a part of a run whose time is measured. Stages work at the same time,
// so that their times add up to more than the run's.
type Stage string

// The stages of a run, in the order in which a customer meets them.
const (
	// StageFetch is the time that the provider took to answer, of all requests.
	StageFetch Stage = "fetch"
	// StageDecode is the reading of its JSON.
	StageDecode Stage = "decode"
	// StageValidate and StageFingerprint are added up over the cores, as is
	// StageSeal.
	StageValidate    Stage = "validate"
	StageFingerprint Stage = "fingerprint"
	// StageLookup asks the register who is known, and under which fingerprint.
	StageLookup Stage = "lookup"
	// StageDecide compares, counts and seals rejected records.
	StageDecide Stage = "decide"
	StageSeal   Stage = "seal"
	// StageWrite is the transaction of a batch with its checkpoint.
	StageWrite Stage = "write"
	// StageDelete finds who has vanished, reads the provider once more where that
	// must be confirmed, and marks the rest deleted.
	StageDelete Stage = "delete"
)

// Waits between the stages: whoever waits is faster than its neighbour, so the
// stage that nobody waits in is what bounds the run.
const (
	// StageFetchBlocked is how long pages stayed in the provider's socket because
	// a batch could not be handed on yet.
	StageFetchBlocked Stage = "fetch_blocked"
	// StageValidateIdle and StageValidateBlocked are how long validation waited for
	// a batch, and then for the next stage.
	StageValidateIdle    Stage = "validate_idle"
	StageValidateBlocked Stage = "validate_blocked"
	// StageSealIdle and StageSealBlocked are how long looking up and sealing
	// waited for a batch, and then for the writer.
	StageSealIdle    Stage = "seal_idle"
	StageSealBlocked Stage = "seal_blocked"
	// StageWriteIdle is how long the writer waited for something to write.
	StageWriteIdle Stage = "write_idle"
)

// stageMillis is the JSON form of a run's stages.
func stageMillis(stages map[Stage]time.Duration) map[Stage]int64 {
	out := make(map[Stage]int64, len(stages))
	for stage, took := range stages {
		out[stage] = took.Milliseconds()
	}
	return out
}

// stageTimes reads that form.
func stageTimes(stages map[Stage]int64) map[Stage]time.Duration {
	if len(stages) == 0 {
		return nil
	}
	out := make(map[Stage]time.Duration, len(stages))
	for stage, millis := range stages {
		out[stage] = time.Duration(millis) * time.Millisecond
	}
	return out
}
