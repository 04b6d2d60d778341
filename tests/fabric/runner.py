# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the test_ functions of cases/*.py and runs those whose name matches."""
import argparse
import fnmatch
import importlib
import shutil
import signal
import subprocess
import sys
import time
import traceback

from .cases_api import Skip
from .simulator import HERE, ROOT, build_directory

LIMIT = 180  # seconds, of one test
TOOLS = ('opensm', 'saquery', 'ibsrpdm', 'srp_daemon')


def find_tests():
    """(name, function, arguments) of every test."""
    for path in sorted((HERE / 'cases').glob('[a-z]*.py')):
        module = importlib.import_module(f'fabric.cases.{path.stem}')
        for name, function in vars(module).items():
            if not name.startswith('test_') or getattr(function, '__module__', '') != module.__name__:
                continue
            title = f'{path.stem}.{name[len("test_"):]}'
            if not hasattr(function, 'values'):
                yield title, function, ()
                continue
            for number, value in enumerate(function.values):
                label = value if isinstance(value, (str, int)) else number
                yield f'{title}[{label}]', function, (value,)


def build():
    """The simulator, where it is not built yet."""
    directory = build_directory()
    if not (directory / 'build.ninja').exists():
        subprocess.run(['meson', 'setup', directory, ROOT, '--prefix=/usr'], check=True,
                       stdout=subprocess.DEVNULL)
    done = subprocess.run(['ninja', '-C', directory], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        print(done.stdout)
        print('the build failed')
        return False
    return True


def on_alarm(*_):
    raise TimeoutError(f'not done within {LIMIT} s')


def run_one(name, function, arguments):
    began = time.monotonic()
    verdict, text = 'PASS', ''
    signal.alarm(LIMIT)
    try:
        function(*arguments)
    except Skip as e:
        verdict, text = 'SKIP', str(e)
    except AssertionError as e:
        verdict, text = 'FAIL', str(e) or traceback.format_exc(limit=-3)
    except Exception:  # pylint: disable=broad-exception-caught
        verdict, text = 'FAIL', traceback.format_exc(limit=-5)
    signal.alarm(0)
    print(f'{verdict} {time.monotonic() - began:6.2f} s  {name}', flush=True)
    if text:
        print('    ' + '\n    '.join(text.splitlines()), flush=True)
    return verdict


def main(argv):
    parser = argparse.ArgumentParser(prog='tests/fabric/run', description=__doc__)
    parser.add_argument('glob', nargs='*', help='of module.test; all without one')
    parser.add_argument('--list', action='store_true', help='the names only')
    parser.add_argument('--no-build', action='store_true', help='take the build as it is')
    options = parser.parse_args(argv)
    tests = [t for t in find_tests()
             if not options.glob or any(fnmatch.fnmatchcase(t[0], f'*{g}*') for g in options.glob)]
    if options.list:
        print('\n'.join(t[0] for t in tests))
        return 0
    missing = [t for t in TOOLS if not shutil.which(t, path='/usr/sbin:/usr/bin')]
    if missing:
        print(f'not installed: {", ".join(missing)}; tests/deps test installs them')
        print('0 passed, 1 failed')
        return 1
    if not options.no_build and not build():
        print('0 passed, 1 failed')
        return 1
    signal.signal(signal.SIGALRM, on_alarm)
    # So that fabrics are taken down when the runner is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    counts = {'PASS': 0, 'FAIL': 0, 'SKIP': 0}
    for test in tests:
        counts[run_one(*test)] += 1
    skipped = f', {counts["SKIP"]} skipped' if counts['SKIP'] else ''
    print(f'{counts["PASS"]} passed, {counts["FAIL"]} failed{skipped}')
    return 1 if counts['FAIL'] or not tests else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
