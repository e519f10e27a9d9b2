"""What is tested is the wheel, alone in its environment; and its example runs."""

import base64
import hashlib
import importlib.metadata
import inspect
import os
import subprocess
import sys
import unittest
from pathlib import Path

import echodb


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.distribution = importlib.metadata.distribution("echo-db")
        if sys.prefix == sys.base_prefix:
            raise unittest.SkipTest("not in a virtual environment")

    def test_it_comes_from_the_wheel(self):
        self.assertTrue(Path(echodb.__file__).is_relative_to(Path(sys.prefix)))
        self.assertEqual(self.distribution.version, echodb.__version__)
        self.assertIsNone(self.distribution.requires)
        others = {each.metadata["Name"] for each in importlib.metadata.distributions()}
        self.assertLessEqual(others, {"echo-db", "pip", "setuptools", "wheel"})

    def test_the_record_is_right(self):
        files = self.distribution.files
        self.assertIn("echodb/py.typed", {str(file) for file in files})
        for file in files:
            if file.hash is not None and file.name != "INSTALLER":
                digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
                value = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
                self.assertEqual(value, file.hash.value, file)

    def test_everything_public_is_described(self):
        for name in echodb.__all__:
            value = getattr(echodb, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                self.assertTrue(value.__doc__, name)
            if isinstance(value, type):
                self.assertEqual(value.__module__, "echodb")
                for member, function in vars(value).items():
                    if not member.startswith("_") and callable(function):
                        self.assertTrue(function.__doc__, f"{name}.{member}")

    @unittest.skipUnless("ECHODB_ROOT" in os.environ, "not run from the sources")
    def test_the_example(self):
        example = Path(os.environ["ECHODB_ROOT"], "bindings/python/examples/notes.py")
        command = [sys.executable, "-I", "-X", "dev", str(example)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, "")
        self.assertEqual((done.returncode, done.stdout), (0, "Buy oat milk\n"))
        shown = example.read_text().split("# README-BEGIN\n")[1].split("# README-END")[0]
        self.assertIn(shown, self.distribution.metadata.get_payload())


if __name__ == "__main__":
    unittest.main()
