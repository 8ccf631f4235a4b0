"""
A plant that lies on demand: physics, device servers, faults, ground truth, the demo.

=====================  =====================================================================
``pots.py``            pots of a line: alumina, voltage, anode effects, metal, anodes (stepped)
``line.py``            line current, rectifiers, electricity meters (functions of time)
``stack.py``           dry scrubber, desulphurisation, CEMS
``heat.py``            flue-gas heat exchanger with fouling
``utilities.py``       grid meter, photovoltaics, green power, water, gas, heat
``wander.py``          wandering as a pure function of time; ``flows.py`` gauges and counters
``plant.py``           scenario, one step of the whole plant
``truth.py``           what really happened, with the simulator's own carbon arithmetic
``registers.py``       register banks and own encoding; ``pdu.py`` requests and replies
``framing.py``         TCP and RTU framing, line faults; ``modbus.py``, ``serial_line.py`` servers
``opcua.py``           OPC UA server; ``points.py`` register maps and point tables
``cems_data.py``       what a CEMS logger computes; ``cems_logger.py`` reports it by HJ 212 over
                       ``hj212_link.py`` in ``hj212.py``'s own encoding;
                       ``hj212_platform.py`` the environment office's end
``faults.py``          faults by name and schedule; ``values.py`` what devices believe under them
``world.py``           the served plant; ``serve.py`` ``smelter simulate``; ``folder.py`` its files
``smoke.py``           stacks by the minute: ``smoke_plan.py`` what is planted in them,
                       ``smoke_truth.py`` what became of every hour, ``smoke_files.py``,
                       ``smoke_site.py``, ``smoke_officer.py`` the journal with one forged mark,
                       ``smoke_year.py`` in the demo's year, ``compare_smoke.py``
``history.py``         a month at once; ``officer.py`` the entries a person would keep
``demo.py``            ``smelter demo``, with ``children.py``, ``broker.py``, ``live.py``,
                       ``compare.py`` (report against truth); ``orphans.py`` children of a
                       demo that was killed end too
=====================  =====================================================================

Point ids are ``"line1/ac1 meter.energy_import"`` throughout.
"""
