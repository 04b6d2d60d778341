# SPDX-License-Identifier: GPL-2.0-or-later
"""Topology files: what is unrolled to what, and how mistakes are told."""
from fabric import Fabric, FabricError, each, eq, has


def test_repeat():
    text = '''
        switch s ports=40  # a comment
        host h1
        link h1/mlx5_0 s
        repeat 3 i
          hca n{i*2+1} desc="node {i:03d}" guid=0x1000{i:02x}00
          repeat {i+1} k  # as many as that
            hca n{i}x{k}
          end
          link n{i*2+1} s:{i+10}
        end
        repeat 0 z
          nonsense {
          repeat 2 y
          end
        end
    '''
    with Fabric(text, sm=None) as f:
        ports = f.ports()
        eq(sorted(n for n in ports if n[0] == 'n'),
           sorted(['n1:1', 'n3:1', 'n5:1', 'n0x0:1', 'n1x0:1', 'n1x1:1', 'n2x0:1', 'n2x1:1',
                   'n2x2:1']))
        eq((ports['n5:1'].peer, ports['n5:1'].guid), ('s:12', 0x10000200 + 1))
        eq((ports['h1/mlx5_0:1'].peer, ports['h1/mlx5_0:1'].phys), ('s:1', 5))


@each(('switch', 1, 'switch NAME'), ('switch s ports=300', 1, 'number of ports'),
      ('\n\nhca a\nhca a', 4, 'is there already'), ('hca a color=red', 1, 'no such key'),
      ('frobnicate', 1, 'no such statement'), ('link a b', 1, 'no such node'),
      ('hca a\nhca b\nhca c\nlink a b\nlink a c', 5, 'no port is free'),
      ('hca a\nservice a', 2, 'no controller'), ('repeat 2 i\nhca a{i}', 2, 'without end'),
      ('end', 1, 'without repeat'), ('repeat 2 i\nhca a{j}\nend', 2, 'in braces'),
      ('repeat 2 i\nhca a{i/0}\nend', 2, 'in braces'), ('hca a:b', 1, 'bad name'),
      ('repeat x i\nend', 1, 'repeat'), ('hca ' + 'n' * 2000, 1, 'too long'),
      ('iou nobody', 1, 'no such node'), ('hca a\niou a absent=x', 2, 'absent='),
      ('host ../x', 1, 'cannot have it'), ('partition x', 1, 'partition NAME'))
def test_mistake(case):
    """The line, and what is wrong with it."""
    text, line, words = case
    try:
        with Fabric(text + '\n', sm=None):
            raise AssertionError('it was taken')
    except FabricError as e:
        has(str(e), f'topology:{line}: ')
        has(str(e), words)
