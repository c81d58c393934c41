"""The compute service of a host: runs the steps it is told, says that it lives, and what it has.

It has no database and calls nobody above its cell. It starts whether or not its conductor, its broker or
Placement are there, and catches up when they are.
"""

import pathlib

from oslo_config import cfg
from oslo_log import log

from nova import clients as clients_
from nova import context as nova_context
from nova import errors, release
from nova.common import clock, health, threads
from nova.compute import (
    beats,
    chores,
    handle,
    inventory,
    journal,
    questions,
    recovery,
    servers,
    step_runner,
)
from nova.compute.periodic import power_sync
from nova.objects import step as wire
from nova.rpc import conductor as rpc_conductor
from nova.rpc import host as rpc_host
from nova.rpc import liveness as rpc_liveness
from nova.rpc import questions as rpc_questions
from nova.rpc import transport
from nova.virt import driver as driver_
from nova.virt.driver.events import Change, Lifecycle

LOG = log.getLogger(__name__)

BINARY = 'nova-compute'
QUEUE = 1000
"""Messages that may wait while the hosts of the process write down what they are told."""
BACKOFF = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between attempts to reach a neighbour at the start."""
RETELL = 300.0
"""Seconds after which node records are told again, though they are the same."""
SILENCE = 0.75
"""Part of ``service_down_time`` after which a host that stood still may have been given up."""
JOIN_FIRST = 3.0
"""Seconds that the first report to Placement waits for a conductor, who knows whether the host is disabled."""


class ComputeFarm:
    """What the hosts of one process share: threads and the clock. A process with one host has a farm of one.

    Args:
        size: most steps that run at the same time, of all hosts together.
    """

    def __init__(self, size: int = 64) -> None:
        self.rpc_pool = threads.Pool('compute-rpc', 4, QUEUE)
        self.question_pool = threads.Pool('compute-questions', 4, QUEUE)
        self.image_pool = threads.Pool('compute-images', 1, QUEUE)
        self.step_pool = threads.Pool('compute-steps', size)
        self.chores = chores.Chores(8)
        self.beats = beats.Beats()
        self._agents: list[ComputeAgent] = []

    def add(self, conf: cfg.ConfigOpts, host: str, driver: driver_.Driver, bus: transport.Bus,
            clients: clients_.Clients,
            state_dir: pathlib.Path | str) -> 'ComputeAgent':
        """A host of this farm; `start` starts it with the others."""
        agent = ComputeAgent(conf, host, driver, bus, clients, state_dir, self)
        self._agents.append(agent)
        return agent

    @property
    def agents(self) -> list['ComputeAgent']:
        return list(self._agents)

    def start(self) -> None:
        self.run()
        for agent in self._agents:
            agent.start()

    def run(self) -> None:
        """Begin to look at what is due."""
        self.chores.start()
        self.beats.start()

    def stop(self, seconds: float = 60.0) -> None:
        """Stop every host together; steps get `seconds` to end."""
        whole = clock.Deadline(seconds)
        for agent in self._agents:
            agent.stop_listening()
        for agent in self._agents:
            agent.stop(whole.left() or 0)
        self.close()

    def close(self) -> None:
        """End the shared threads, the hosts having stopped."""
        self.beats.stop()
        self.chores.stop()
        self.rpc_pool.close()
        self.question_pool.close(wait=False)
        self.image_pool.close(wait=False)
        self.step_pool.close(wait=False)


class ComputeAgent:
    """One host.

    Args:
        bus: its cell's.
        state_dir: where it keeps its journal; survives restarts, belongs to this host alone.
        farm: threads to share with other hosts; None makes its own, which starts and stops with it.
    """

    def __init__(self, conf: cfg.ConfigOpts, host: str, driver: driver_.Driver, bus: transport.Bus,
                 clients: clients_.Clients,
                 state_dir: pathlib.Path | str, farm: ComputeFarm | None = None) -> None:
        self.host, self.driver = host, driver
        self._conf = conf
        self._own_farm = ComputeFarm() if farm is None else None
        # A host that beats hardly more often than it has to be heard has not slept between two beats.
        self._silence = max(SILENCE * conf.service_down_time, 2.0 * conf.report_interval)
        self._farm: ComputeFarm = farm or self._own_farm  # type: ignore[assignment]  # one of them is there
        self._spoken = release.own()
        self._conductor = rpc_conductor.Conductor.client(bus, speaks=lambda: self._spoken)
        self._liveness = rpc_liveness.Liveness.client(bus)
        directory = pathlib.Path(state_dir)
        self._journal = journal.Journal(directory / 'steps')
        self._powers = recovery.Powers(directory)
        journals = servers.ServerJournals(directory / 'servers')
        self.inventory = inventory.Inventory(conf, host, driver, clients.placement, journals)
        self._hosting = handle.Hosting(conf, host, driver, clients, journals)
        self.runner = step_runner.StepRunner(self._hosting, self._journal, self._done, self._conductor.progress,
                                      self._farm.step_pool)
        self._debts = recovery.Debts(self.runner, self._hosting)
        driver.listen(self._guest_changed)
        self._heart = beats.Heart(host, BINARY, self._beat, conf.report_interval,
                                  self.runner.open, lambda: self.inventory.disabled,
                                  self._silence, self._join_anew)
        self._server = rpc_host.ComputeHost.server(bus, host, self, self._farm.rpc_pool)
        self._questions = rpc_questions.Questions.server(
            bus, host, questions.Answers(self._hosting, self._farm.image_pool), self._farm.question_pool)
        self._told = clock.Deadline(0)
        self._joined = threads.event()
        self._stopped = threads.event()
        self._tries = {'join': 0, 'inventory': 0}
        self._chores: list[chores.Chore] = []

    def start(self) -> None:
        """Begin; everything that needs somebody else happens in the background."""
        self._server.start()
        self._questions.start()
        conf = self._conf
        sync = conf.sync_power_state_interval
        wanted = [
            chores.Chore('join', 1.0, self._join),
            chores.Chore('nodes', conf.report_interval, self._report_nodes, due=chores.NEVER, of=self.host),
            chores.Chore('inventory', conf.update_resources_interval or 60, self._report_inventory,
                         due=clock.monotonic() + JOIN_FIRST, of=self.host),
            chores.Chore('prune', 3600, self._prune, of=self.host),
        ]
        tidy = conf.image_cache.manager_interval
        if tidy >= 0:
            wanted.append(chores.Chore('tidy', tidy or 60, self.driver.tidy,
                                       due=clock.monotonic() + (tidy or 60), of=self.host))
        if sync >= 0:
            wanted.append(chores.Chore('power-sync', sync or 60, self._sync, due=chores.NEVER, of=self.host))
        self._chores = [self._farm.chores.add(chore) for chore in wanted]
        self._farm.beats.add(self._heart)
        if self._own_farm is not None:
            self._own_farm.run()

    def stop_listening(self) -> None:
        """Take no more messages."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._farm.beats.remove(self._heart)
            self._farm.chores.remove(self._chores)
            self._server.stop()
            self._questions.stop()

    def stop(self, seconds: float = 60.0) -> None:
        """Take no more messages, let the steps that run end for at most `seconds`, and answer them.

        What does not end in time is found in the journal by the next start.
        """
        self.stop_listening()
        self._server.wait()
        self._questions.wait()
        if not self.runner.wait_idle(seconds):
            LOG.warning('Steps of %s are left for its next start', self.host)
        if self._own_farm is not None:
            self._own_farm.close()

    def kill(self) -> None:
        """As if the process had died by kill -9: nothing more is taken, journalled or answered."""
        self.runner.kill()
        self.stop_listening()
        if self._own_farm is not None:
            self._own_farm.beats.stop()
            self._own_farm.chores.stop(wait=False)

    def checks(self) -> dict[str, health.Check]:
        """Whether this host is well."""
        def conductor() -> str | None:
            return None if self._joined.is_set() else 'no conductor has answered yet'
        return {'conductor': conductor, 'clock': self._farm.chores.health, 'beats': self._farm.beats.health}

    def wait_joined(self, seconds: float | None = None) -> bool:
        """Wait until a conductor knows that this host is up."""
        return self._joined.wait(seconds)

    def sync_power(self) -> None:
        """Report the guests' power soon, rather than at the next interval."""
        self._hurry('power-sync')

    def _guest_changed(self, event: Lifecycle) -> None:
        """A guest has changed; where no step has done it, its server's record may have to follow."""
        if event.server not in self.runner.busy() and event.change is not Change.MIGRATED:
            self._hurry('power-sync')

    def _hurry(self, name: str) -> None:
        for chore in self._chores:
            if chore.name == name:
                self._farm.chores.kick(chore)

    # What conductors say

    def run_step(self, context: nova_context.RequestContext, call: wire.StepCall) -> None:
        if call.host != self.host:
            LOG.error('A step for host %s came to %s; dropped', call.host, self.host)
            return
        if not self._heart.is_awake():
            # It may have waited in the queue until it was given up. What is open a conductor tells who joins.
            LOG.info('Step %s of task %s came before host %s has joined; dropped', call.step, call.task,
                     self.host)
            return
        self.runner.run(context, call)
        self._farm.beats.within(beats.EARLY)

    def cancel_step(self, context: nova_context.RequestContext, ref: wire.StepRef) -> None:
        self.runner.cancel(context, ref)

    def set_status(self, context: nova_context.RequestContext, status: wire.HostStatus) -> None:
        """An operator has disabled or enabled this host: Placement is to know at once."""
        if status.disabled != self.inventory.disabled:
            LOG.info('Host %s is %s', self.host, 'disabled' if status.disabled else 'enabled')
            self.inventory.disabled = status.disabled
            self._hurry('inventory')

    def rejoin(self, context: nova_context.RequestContext, wanted: wire.HostEpoch) -> None:
        """Something was given up while this host was not heard of: join as at the start, silent until then."""
        if self._heart.epoch in (None, wanted.epoch):
            return  # it joins just now, or has done so meanwhile
        LOG.warning('Host %s was taken for dead; it joins again', self.host)
        self._join_anew()

    def _join_anew(self) -> None:
        """Join as at the start, silent and taking no step until then."""
        self._heart.pause()
        self._joined.clear()
        self._hurry('join')

    def _done(self, context: nova_context.RequestContext, result: wire.StepResult) -> None:
        if self._conf.resume_guests_state_on_host_boot and result.outcome == 'done':
            self._powers.note(self.driver.guests())
        self._conductor.step_done(context, result)

    # What it does by the clock

    def _pause(self, what: str) -> float:
        """How long to wait after one more failure."""
        pause = BACKOFF[min(self._tries[what], len(BACKOFF) - 1)]
        self._tries[what] += 1
        return pause

    def _join(self) -> float | None:
        """Tell a conductor that this host is up, do what it answers, and begin to beat."""
        context, began = nova_context.admin(), clock.monotonic()
        try:
            orders = self._ask_orders(context)
            paid, free = self._debts.obey(orders, context)
            if paid and self._conductor.can('paid'):
                self._conductor.paid(context, wire.HostPaid(host=self.host, steps=paid))
        except errors.NovaError as error:
            pause = self._pause('join')
            LOG.warning('Host %s: no conductor takes it up yet (%s); next attempt in %.0f s', self.host, error,
                        pause)
            return pause
        if self._stopped.is_set():
            return chores.NEVER
        if not free:
            return self._pause('join')
        if clock.monotonic() - began > self._silence:
            return 0.0  # it stood still, or had much to do: what was answered may be out of date
        self.inventory.disabled = orders.disabled
        for call in orders.open_steps:
            self.runner.run(context, call)
        started = recovery.resume_guests(self._hosting, self._powers, self.runner.busy())
        LOG.info('Host %s is up: %d steps were owed, %d are open, %d guests to remove, %d guests started again',
                 self.host, len(paid), len(orders.open_steps), len(orders.evict), len(started))
        self._tries['join'] = 0
        self._heart.begin(orders.epoch or 0)
        self._farm.beats.within(0.0)
        self._joined.set()
        for name in ('nodes', 'power-sync', 'inventory'):
            self._hurry(name)
        return chores.NEVER

    def _ask_orders(self, context: nova_context.RequestContext) -> wire.HostOrders:
        """Join, in the form of the oldest conductors: from now on all is said in it, until the next time.

        A conductor of the release before refuses what it cannot read; another one tells of those beside it.
        """
        report = self._report()
        self._spoken = release.own()
        try:
            orders = self._conductor.host_up(context, report)
        except errors.Invalid:
            self._spoken = release.PREVIOUS
            orders = self._conductor.host_up(context, report)
        self._spoken = release.of(orders.conductors)
        return orders

    def _beat(self, beat: wire.HostBeat) -> None:
        if self._spoken.is_current:
            self._liveness.beat(nova_context.admin(), beat)
        else:
            self._conductor.beat(nova_context.admin(), wire.HostReport(
                host=beat.host, binary=beat.binary, version=beat.version, disabled=beat.disabled))

    def _report(self) -> wire.HostReport:
        """What a conductor has to know of a host that joins: all of it."""
        self.inventory.forget()
        guests = self.driver.guests()
        return wire.HostReport(
            host=self.host, binary=BINARY, version=release.own().service, nodes=self.inventory.news(),
            guests=sorted(guests), remains=sorted(self._hosting.journals.servers() - set(guests)),
            disabled=self.inventory.disabled,
            steps={task: attempt for task, (attempt, _) in self.runner.open().items()})

    def _report_nodes(self) -> None:
        """Tell what has changed about the nodes."""
        nodes = self.inventory.news()
        if nodes and not self._spoken.is_current:
            self._conductor.beat(nova_context.admin(), wire.HostReport(
                host=self.host, binary=BINARY, version=release.own().service, nodes=nodes,
                disabled=self.inventory.disabled))
        elif nodes:
            self._conductor.nodes(nova_context.admin(), wire.HostNodes(host=self.host, nodes=nodes))

    def _report_inventory(self) -> float | None:
        try:
            self.inventory.report()
        except errors.NovaError as error:
            pause = self._pause('inventory')
            LOG.warning('Host %s: Placement has not taken its inventory (%s); next attempt in %.0f s',
                        self.host, error, pause)
            return pause
        self._tries['inventory'] = 0
        if self._told.passed():
            # What was said about nodes were casts, and may have been lost.
            self.inventory.forget()
            self._told = clock.Deadline(RETELL)
        return None

    def _sync(self) -> None:
        if self._conf.resume_guests_state_on_host_boot:
            self._powers.note(self.driver.guests())
        power_sync.report(self.host, self.driver, self._conductor, self.runner.busy())

    def _prune(self) -> None:
        gone = self._journal.prune()
        if gone:
            LOG.debug('Forgot %d old steps of %s', gone, self.host)
