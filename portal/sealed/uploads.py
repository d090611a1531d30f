"""Uploads stay in memory: Django's own handler spools what is over 2.5 MB to the temporary folder in clear."""

from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

IN_ALL = 16 * 1024 * 1024  # bytes kept of all files of one request: three attachments, or a photo


class SealedUpload(InMemoryUploadedFile):
    """A file in memory; `too_large` when it passed a cap, and then without content."""

    too_large = False


class InMemoryUploadHandler(FileUploadHandler):
    """Keeps one file up to `settings.UPLOAD_CAP` bytes and all together up to `IN_ALL`; of the rest only the size.

    Anybody may send files to any address, signed in or not, so what a request costs has an end of its own.
    """

    chunk_size = 64 * 1024
    kept = 0  # bytes of the request's earlier files

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.buffer = BytesIO()
        self.seen = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.seen += len(raw_data)
        if self.seen > settings.UPLOAD_CAP or self.kept + self.seen > IN_ALL:
            self.buffer = BytesIO()
        else:
            self.buffer.write(raw_data)

    def file_complete(self, file_size: int) -> SealedUpload:
        whole = len(self.buffer.getbuffer()) == file_size
        self.kept += file_size if whole else 0
        self.buffer.seek(0)
        upload = SealedUpload(
            file=self.buffer,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
        upload.too_large = not whole
        return upload
