#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns the interface description into a C string: embed.py INPUT OUTPUT"""
import json
import sys

with open(sys.argv[1], encoding='ascii') as f:
    lines = f.read().splitlines(keepends=True)
with open(sys.argv[2], 'w', encoding='ascii') as f:
    f.write('/* Made from io.srpha.varlink. */\n#pragma once\n\n')
    f.write('static const char io_srpha_interface[] =\n')
    f.write('\n'.join('\t' + json.dumps(line) for line in lines) + ';\n')
