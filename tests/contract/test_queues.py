from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from tests.support.builders import NOW, an_event


async def test_no_queue_has_targets_of_its_own_at_first(store):
    assert await store.queues.targets() == {}


async def test_saved_targets_are_read_back_and_replaced_as_a_whole(store):
    first = QueueTargets(30.0, ServiceLevelVariant.LESS_SHORT_ABANDONS, 5.0, "Orders by phone", NOW)
    await store.queues.save_targets("orders-voice", first, an_event())
    await store.queues.save_targets("chat", QueueTargets(), an_event())
    found = await store.queues.targets()
    assert found == {"orders-voice": first, "chat": QueueTargets()}
    assert isinstance(found["chat"].service_level_variant, ServiceLevelVariant)
    await store.queues.save_targets("orders-voice", QueueTargets(title="Orders"), an_event())
    assert (await store.queues.targets())["orders-voice"] == QueueTargets(title="Orders")
