"""What the figures rest on, in words: whose prices, of which day, and what nobody counted."""

from collections.abc import Iterator

from judgesmith.costs.inputs import CostInputs, Own
from judgesmith.costs.load import chosen_load
from judgesmith.costs.ways import Way


def rests_on(inputs: CostInputs) -> tuple[str, ...]:
    """One sentence each."""
    return tuple(_sentences(inputs))


def _sentences(inputs: CostInputs) -> Iterator[str]:
    calls = inputs.calls_per_judgment
    one = " A pair is then judged in one order only." if calls.value == 1 else ""
    yield f"Calls for a judgment: {calls.words}.{one}"
    priced = [(name, api.price.as_of, api.price.source) for name, api in inputs.apis.items()]
    priced += [(name, it.as_of, it.source) for name, it in inputs.machines.items()]
    for name, as_of, source in priced:
        yield f"Price of {name}: as of {as_of}, {source}."
    once = inputs.once
    left_out = {
        "labels by a teacher": once.teacher, "labels by people": once.people,
        "training": once.training, "upkeep each month": inputs.each_month,
    }  # fmt: skip
    missing = [what for what, given in left_out.items() if not given]
    if missing:
        yield f"Not counted, as the file says nothing of it: {', '.join(missing)}."
    if inputs.tokens is not None:
        yield "A machine's rate is as measured; it does not follow `tokens`."
    yield "The judges are taken to be equally good; whether they are, `evaluate` and `compare` say."


def way_rests_on(inputs: CostInputs, way: Way) -> str:
    """What the cost of one way rests on, in a few words."""
    if way.busy is not None:
        return _own(inputs.own[way.name])
    price = inputs.apis[way.name].price
    how = "by tokens" if price.by_tokens else "as billed"
    return f"{how}, as of {price.as_of}"


def _own(own: Own) -> str:
    place = chosen_load(own)
    if place is None or own.calls_per_hour is not None:
        rate = "a rate that the file states"
    else:
        load = own.loads[place]
        flight = "" if load.concurrency is None else f" with {load.concurrency} in flight"
        rate = f"{load.calls.words} calls in {load.wall_s.words} s{flight}"
    if own.hours_per_month is not None:
        return f"{rate}; {own.hours_per_month.words} hours a month are paid for each machine"
    assert own.utilisation is not None
    idle = "no idle time" if own.utilisation.value == 1 else f"busy for {own.utilisation.words}"
    return f"{rate}; {idle}"
